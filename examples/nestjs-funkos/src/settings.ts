const { PORT, API_VERSION, DATABASE, PREGON_LOG } = process.env;

export const settings = {
  port: Number(PORT || 3000),
  namespace: `/ws/${API_VERSION || 'v1'}/productos`,
  database: DATABASE || 'data/funkos.db',
  log: PREGON_LOG || 'sqlite:data/pregon.db',
};
